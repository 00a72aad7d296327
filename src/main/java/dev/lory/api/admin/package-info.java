/** The administration of the service over HTTP: orderings, adapters, activations. */
@NullMarked
package dev.lory.api.admin;

import org.jspecify.annotations.NullMarked;
