@NullMarked
package dev.lory.worker;

import org.jspecify.annotations.NullMarked;
