/** What is common to every REST path: which status an error has, and how errors look. */
@NullMarked
package dev.lory.api;

import org.jspecify.annotations.NullMarked;
