@NullMarked
package dev.lory.api.openai;

import org.jspecify.annotations.NullMarked;
