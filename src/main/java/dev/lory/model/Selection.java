package dev.lory.model;

import dev.lory.kernel.RowGroups;

/** The adapters of some rows of a step, which lie side by side in a matrix of their own. */
final class Selection {
    private final RowGroups selected = new RowGroups();
    /** By row of the step: its place among the selected ones, plus one; 0 = not selected. */
    private final int[] places;

    /** @param maxRows of a step */
    Selection(int maxRows) {
        places = new int[maxRows];
    }

    /**
     * The rows of one group, in its order.
     *
     * @param adapters by row of the step
     * @return by place in the group; valid until the next call
     */
    RowGroups of(RowGroups adapters, RowGroups routes, int g) {
        selected.clear();
        if (adapters.isEmpty()) {
            return selected;
        }
        int first = routes.start(g);
        for (int entry = first; entry < routes.start(g + 1); entry++) {
            places[routes.row(entry)] = entry - first + 1;
        }
        select(adapters);
        for (int entry = first; entry < routes.start(g + 1); entry++) {
            places[routes.row(entry)] = 0;
        }
        return selected;
    }

    /** As {@link #of(RowGroups, RowGroups, int)} for the first {@code count} of {@code rows}, which rise. */
    RowGroups of(RowGroups adapters, int[] rows, int count) {
        selected.clear();
        if (adapters.isEmpty()) {
            return selected;
        }
        for (int i = 0; i < count; i++) {
            places[rows[i]] = i + 1;
        }
        select(adapters);
        for (int i = 0; i < count; i++) {
            places[rows[i]] = 0;
        }
        return selected;
    }

    private void select(RowGroups adapters) {
        for (int g = 0; g < adapters.groups(); g++) {
            boolean open = false;
            for (int entry = adapters.start(g); entry < adapters.start(g + 1); entry++) {
                int place = places[adapters.row(entry)];
                if (place > 0) {
                    if (!open) {
                        selected.group(adapters.key(g));
                        open = true;
                    }
                    selected.addAs(place - 1, adapters, entry);
                }
            }
        }
    }
}
