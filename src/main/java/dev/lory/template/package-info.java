/** Chat templates: the part of Jinja2 they are written in, rendered as transformers renders it. */
@NullMarked
package dev.lory.template;

import org.jspecify.annotations.NullMarked;
