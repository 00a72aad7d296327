/** Tests of the command line, without starting the service. */
@NullMarked
package dev.lory.cli;

import org.jspecify.annotations.NullMarked;
