@NullMarked
package dev.lory.xlora;

import org.jspecify.annotations.NullMarked;
