/** The command line: what a flag means, what is checked before anything starts, and the order in which things start and stop. */
@NullMarked
package dev.lory.cli;

import org.jspecify.annotations.NullMarked;
