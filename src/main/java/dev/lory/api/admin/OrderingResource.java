package dev.lory.api.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lory.api.Problem;
import dev.lory.error.Finding;
import dev.lory.ordering.Ordering;
import dev.lory.ordering.OrderingDiff;
import dev.lory.ordering.OrderingDiff.Change;
import dev.lory.ordering.OrderingText;
import dev.lory.registry.Actor;
import dev.lory.registry.OrderingRevision;
import dev.lory.registry.OrderingService;
import dev.lory.registry.OrderingService.OnUpload;
import dev.lory.registry.OrderingService.Uploaded;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import jakarta.ws.rs.core.UriInfo;
import java.net.URI;
import java.util.List;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** Ordering files and their revisions. */
@Path("/api/v1/orderings")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Orderings", description = "Ordering files; each content is an immutable revision of its name")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class OrderingResource {
    private final OrderingService orderings;

    OrderingResource(OrderingService orderings) {
        this.orderings = orderings;
    }

    @POST
    @Path("{name}")
    @Operation(
            operationId = "uploadOrdering",
            summary = "Upload an ordering file",
            description = "Registers the adapters it names. The same bytes again answer the revision that has them.")
    @RequestBody(
            required = true,
            content =
                    @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Ordering.class)))
    @APIResponse(
            responseCode = "201",
            description = "A new revision",
            headers = @Header(name = "Location", description = "The revision"),
            content = @Content(schema = @Schema(implementation = Uploaded.class)))
    @APIResponse(
            responseCode = "200",
            description = "The revision that has these bytes already",
            content = @Content(schema = @Schema(implementation = Uploaded.class)))
    @APIResponse(
            responseCode = "422",
            description = "The file cannot be used; all findings at once, in findings",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response upload(
            @PathParam("name") String name,
            @QueryParam("activate") @DefaultValue("false") @Parameter(description = "Activate the adapters of order")
                    boolean activate,
            @QueryParam("comment") @DefaultValue("") String comment,
            byte[] body,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        Uploaded uploaded = orderings.create(
                name, body, comment, activate ? OnUpload.ACTIVATE : OnUpload.STORE, Actor.client(Callers.name(caller)));
        return kept(uploaded, uri);
    }

    private static Response kept(Uploaded uploaded, UriInfo uri) {
        OrderingRevision revision = uploaded.revision();
        URI location = uri.getBaseUriBuilder()
                .path("api/v1/orderings")
                .segment(revision.name(), "revisions", String.valueOf(revision.revision()))
                .build();
        return Response.status(uploaded.created() ? Response.Status.CREATED : Response.Status.OK)
                .header(HttpHeaders.LOCATION, location)
                .entity(uploaded)
                .build();
    }

    /** What {@code generate} takes. */
    record GenerateRequest(
            @JsonProperty("base_model_id") @Schema(description = "Default: the served model's name") @Nullable
            String baseModelId,

            @JsonProperty("target_modules")
            @Schema(required = true, description = "As PEFT's: paths, or ends of paths at a dot")
            List<String> targetModules,

            @Schema(required = true, description = "order: names as in training")
            List<String> adapters) {}

    @POST
    @Path("generate")
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "generateOrdering",
            summary = "Make an ordering file for the served model",
            description = "Nothing is kept: upload the answer under a name.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = GenerateRequest.class)))
    @APIResponse(
            responseCode = "200",
            description = "The file",
            content = @Content(schema = @Schema(implementation = Ordering.class)))
    public Response generate(byte[] body) {
        StrictBody request = StrictBody.read(body, Set.of("base_model_id", "target_modules", "adapters"));
        Ordering made = orderings.generate(
                request.text("base_model_id").orElse(""), request.names("target_modules"), request.names("adapters"));
        return Response.ok(OrderingText.write(made), MediaType.APPLICATION_JSON_TYPE)
                .build();
    }

    /** What {@code validate} answers; {@code usable} = no finding is an error. */
    record Validation(boolean usable, List<Finding> findings) {}

    @POST
    @Path("validate")
    @Operation(
            operationId = "validateOrdering",
            summary = "Everything there is to say about an ordering file",
            description = "Nothing is kept, and whether its adapters are there is not looked at.")
    @RequestBody(
            required = true,
            content =
                    @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Ordering.class)))
    @APIResponse(responseCode = "200", description = "Findings, none = nothing is wrong")
    public Validation validate(byte[] body) {
        List<Finding> findings = orderings.validate(body);
        return new Validation(
                findings.stream().noneMatch(finding -> finding.severity() == Finding.Severity.ERROR), findings);
    }

    @GET
    @Path("{name}/diff")
    @Operation(operationId = "diffOrdering", summary = "What differs between two revisions")
    @APIResponse(responseCode = "200", description = "Differences, none = they say the same")
    public List<Change> diff(@PathParam("name") String name, @QueryParam("from") int from, @QueryParam("to") int to) {
        return OrderingDiff.between(
                orderings.revision(name, from).content(),
                orderings.revision(name, to).content());
    }

    @POST
    @Path("{name}/rollback")
    @Operation(
            operationId = "rollbackOrdering",
            summary = "Make an older revision the latest again",
            description = "A new revision with the old one's bytes.")
    @APIResponse(
            responseCode = "201",
            description = "A new revision",
            content = @Content(schema = @Schema(implementation = Uploaded.class)))
    @APIResponse(
            responseCode = "200",
            description = "It is the latest already",
            content = @Content(schema = @Schema(implementation = Uploaded.class)))
    public Response rollback(
            @PathParam("name") String name,
            @QueryParam("to") @Parameter(description = "The revision to go back to") int to,
            @QueryParam("activate") @DefaultValue("false") @Parameter(description = "Activate the adapters of order")
                    boolean activate,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        Uploaded uploaded = orderings.rollback(
                name, to, activate ? OnUpload.ACTIVATE : OnUpload.STORE, Actor.client(Callers.name(caller)));
        return kept(uploaded, uri);
    }

    @GET
    @Operation(operationId = "listOrderings", summary = "The latest revision of each ordering file, by name")
    @APIResponse(responseCode = "200", description = "Revisions")
    public List<OrderingRevision> list() {
        return orderings.list();
    }

    @GET
    @Path("{name}")
    @Operation(operationId = "getOrdering", summary = "The latest revision of an ordering file")
    @APIResponse(responseCode = "200", description = "The revision")
    public OrderingRevision get(@PathParam("name") String name) {
        return orderings.get(name);
    }

    @GET
    @Path("{name}/revisions")
    @Operation(operationId = "listOrderingRevisions", summary = "The revisions of an ordering file, newest first")
    @APIResponse(responseCode = "200", description = "Revisions")
    public List<OrderingRevision> revisions(@PathParam("name") String name) {
        return orderings.revisions(name);
    }

    @GET
    @Path("{name}/revisions/{revision}")
    @Operation(operationId = "getOrderingRevision", summary = "One revision of an ordering file")
    @APIResponse(responseCode = "200", description = "The revision")
    public OrderingRevision revision(@PathParam("name") String name, @PathParam("revision") int revision) {
        return orderings.revision(name, revision);
    }
}
