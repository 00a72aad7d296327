package dev.lory.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Bytes with an optional unit: {@code 268435456}, {@code 256M}, {@code 256MiB}, {@code 2G}; units are powers of 1024. */
final class ByteSize implements ITypeConverter<Long> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,15})\\s*([KMGT]?)(?:I?B)?");

    @Override
    public Long convert(String value) {
        Matcher matcher = FORM.matcher(value.strip().toUpperCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new TypeConversionException("'" + value + "' is not a number of bytes such as 268435456, 256M or 2G");
        }
        int unit = " KMGT".indexOf(matcher.group(2).isEmpty() ? " " : matcher.group(2));
        try {
            return Math.multiplyExact(Long.parseLong(matcher.group(1)), 1L << (10 * unit));
        } catch (ArithmeticException e) {
            throw new TypeConversionException("'" + value + "' is more bytes than can be counted");
        }
    }
}
