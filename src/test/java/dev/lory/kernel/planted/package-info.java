/** Classes that break the house rules, for the test of the rules. */
@NullMarked
package dev.lory.kernel.planted;

import org.jspecify.annotations.NullMarked;
