/** The OpenAI API: requests understood, generations run, answers and streams in its JSON. */
@NullMarked
package dev.lory.api.openai;

import org.jspecify.annotations.NullMarked;
