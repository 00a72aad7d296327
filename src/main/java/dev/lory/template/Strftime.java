package dev.lory.template;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.TextStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** C's {@code strftime} in the C locale, with glibc's {@code %-d} for numbers without padding. */
final class Strftime {
    private Strftime() {}

    static String format(ZonedDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            i++;
            boolean plain = format.charAt(i) == '-' && i + 1 < format.length();
            if (plain) {
                i++;
            }
            String field = field(time, format.charAt(i));
            out.append(plain ? withoutPadding(field) : field);
        }
        return out.toString();
    }

    private static String withoutPadding(String field) {
        int from = 0;
        while (from < field.length() - 1 && (field.charAt(from) == '0' || field.charAt(from) == ' ')) {
            from++;
        }
        return field.substring(from);
    }

    private static String field(ZonedDateTime t, char directive) {
        return switch (directive) {
            case 'a' -> t.getDayOfWeek().getDisplayName(TextStyle.SHORT, Locale.ENGLISH);
            case 'A' -> t.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' ->
                t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
            case 'B' -> t.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'c' -> format(t, "%a %b %e %H:%M:%S %Y");
            case 'C' -> number(t.getYear() / 100, 2);
            case 'd' -> number(t.getDayOfMonth(), 2);
            case 'D', 'x' -> format(t, "%m/%d/%y");
            case 'e' -> String.format("%2d", t.getDayOfMonth());
            case 'f' -> number(t.getNano() / 1000, 6);
            case 'F' -> format(t, "%Y-%m-%d");
            case 'g' -> number(t.get(IsoFields.WEEK_BASED_YEAR) % 100, 2);
            case 'G' -> number(t.get(IsoFields.WEEK_BASED_YEAR), 4);
            case 'H' -> number(t.getHour(), 2);
            case 'I' -> number(t.get(ChronoField.CLOCK_HOUR_OF_AMPM), 2);
            case 'j' -> number(t.getDayOfYear(), 3);
            case 'k' -> String.format("%2d", t.getHour());
            case 'l' -> String.format("%2d", t.get(ChronoField.CLOCK_HOUR_OF_AMPM));
            case 'm' -> number(t.getMonthValue(), 2);
            case 'M' -> number(t.getMinute(), 2);
            case 'n' -> "\n";
            case 'p' -> t.getHour() < 12 ? "AM" : "PM";
            case 'P' -> t.getHour() < 12 ? "am" : "pm";
            case 'r' -> format(t, "%I:%M:%S %p");
            case 'R' -> format(t, "%H:%M");
            case 's' -> Long.toString(t.toEpochSecond());
            case 'S' -> number(t.getSecond(), 2);
            case 't' -> "\t";
            case 'T', 'X' -> format(t, "%H:%M:%S");
            case 'u' -> Integer.toString(t.getDayOfWeek().getValue());
            case 'U' -> number((t.getDayOfYear() + 6 - t.getDayOfWeek().getValue() % 7) / 7, 2);
            case 'V' -> number(t.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR), 2);
            case 'w' -> Integer.toString(t.getDayOfWeek().getValue() % 7);
            case 'W' -> number((t.getDayOfYear() + 7 - t.getDayOfWeek().getValue()) / 7, 2);
            case 'y' -> number(t.getYear() % 100, 2);
            case 'Y' -> Integer.toString(t.getYear());
            case 'z' -> DateTimeFormatter.ofPattern("xx", Locale.ROOT).format(t);
            case 'Z' -> DateTimeFormatter.ofPattern("zzz", Locale.ENGLISH).format(t);
            case '%' -> "%";
            default -> "%" + directive;
        };
    }

    private static String number(int value, int digits) {
        return String.format("%0" + digits + "d", value);
    }
}
