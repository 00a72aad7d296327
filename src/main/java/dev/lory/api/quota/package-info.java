/** How much each tenant may ask for, and how much may be asked of each adapter. */
@NullMarked
package dev.lory.api.quota;

import org.jspecify.annotations.NullMarked;
