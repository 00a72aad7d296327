@NullMarked
package dev.lory.adapter;

import org.jspecify.annotations.NullMarked;
