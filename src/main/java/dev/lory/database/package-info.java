/** The PostgreSQL that the service starts for itself where none is given, and the check of one that is. */
@NullMarked
package dev.lory.database;

import org.jspecify.annotations.NullMarked;
