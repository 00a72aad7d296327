/** The one error type of the service, and the codes that callers and clients may rely on. */
@NullMarked
package dev.lory.error;

import org.jspecify.annotations.NullMarked;
