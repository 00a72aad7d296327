/** The operations a device must provide, and the plain reference that every other backend is compared with. */
@NullMarked
package dev.lory.kernel;

import org.jspecify.annotations.NullMarked;
