@NullMarked
package dev.lory.engine;

import org.jspecify.annotations.NullMarked;
