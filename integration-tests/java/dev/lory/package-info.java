/** Tests of the packaged service, from outside. */
@NullMarked
package dev.lory;

import org.jspecify.annotations.NullMarked;
