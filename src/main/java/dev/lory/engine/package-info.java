/** Continuous batching: which sequences compute which tokens this step, and which KV blocks they own. One thread. */
@NullMarked
package dev.lory.engine;

import org.jspecify.annotations.NullMarked;
