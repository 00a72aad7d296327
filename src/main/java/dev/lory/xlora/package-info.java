/** X-LoRA (arXiv:2402.07148): packages, the classifier, and the scalings it gives. */
@NullMarked
package dev.lory.xlora;

import org.jspecify.annotations.NullMarked;
