package dev.lory.api.admin;

import static dev.lory.error.ServiceException.invalid;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.lory.api.Problem;
import dev.lory.registry.UsageLedger;
import dev.lory.registry.UsageRow;
import dev.lory.registry.UsageSum;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** What was computed for whom. */
@Path("/api/v1/usage")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Usage", description = "Requests and tokens by hour, tenant and adapters")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class UsageResource {
    private static final Duration LONGEST = Duration.ofDays(31);

    private final UsageLedger ledger;

    UsageResource(UsageLedger ledger) {
        this.ledger = ledger;
    }

    /** @param total of all rows */
    public record UsageReport(Instant from, Instant to, List<UsageRow> rows, Total total) {
        public UsageReport {
            rows = List.copyOf(rows);
        }
    }

    /** All together. */
    public record Total(@JsonUnwrapped UsageSum used) {}

    @GET
    @Operation(
            operationId = "getUsage",
            summary = "Requests and tokens by hour, tenant and adapters",
            description = "Of up to 31 days. Figures of the last seconds may be missing.")
    @APIResponse(responseCode = "200", description = "Rows and their total")
    public UsageReport usage(
            @QueryParam("from")
                    @DefaultValue("")
                    @Parameter(description = "ISO 8601; hours that begin then or later; default: a day before `to`")
                    String from,
            @QueryParam("to")
                    @DefaultValue("")
                    @Parameter(description = "ISO 8601; hours that begin before; default: now")
                    String to,
            @QueryParam("tenant") @DefaultValue("") @Parameter(description = "Only of this one") String tenant,
            @QueryParam("adapter")
                    @DefaultValue("")
                    @Parameter(description = "Only of sets with this one; `base` = of none")
                    String adapter) {
        Instant end = to.isEmpty() ? Instant.now().plusSeconds(1).truncatedTo(ChronoUnit.SECONDS) : time("to", to);
        Instant begin = from.isEmpty() ? end.minus(1, ChronoUnit.DAYS) : time("from", from);
        if (begin.isAfter(end) || Duration.between(begin, end).compareTo(LONGEST) > 0) {
            throw invalid("from", "from must be before to, and at most 31 days; they are " + begin + " and " + end);
        }
        List<UsageRow> rows = ledger.between(begin, end).stream()
                .filter(row -> tenant.isEmpty() || row.tenant().equals(tenant))
                .filter(row -> adapter.isEmpty()
                        || row.adapters().contains(adapter)
                        || adapter.equals("base") && row.adapters().isEmpty())
                .toList();
        UsageSum total = rows.stream().map(UsageRow::used).reduce(UsageSum.NONE, UsageSum::plus);
        return new UsageReport(begin, end, rows, new Total(total));
    }

    private static Instant time(String field, String text) {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeParseException e) {
            throw invalid(field, field + " must be a time such as 2026-01-31T00:00:00Z but is " + text);
        }
    }
}
