/** What computes: a port to ask for generations and to say which adapters are wanted, and the worker in this process. */
@NullMarked
package dev.lory.worker;

import org.jspecify.annotations.NullMarked;
