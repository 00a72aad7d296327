package dev.lory.api.admin;

import dev.lory.adapter.AdapterReport;
import dev.lory.api.Problem;
import dev.lory.registry.Actor;
import dev.lory.registry.XLora;
import dev.lory.registry.XLoraRevision;
import dev.lory.registry.XLoraService;
import dev.lory.registry.XLoraService.Admitted;
import dev.lory.xlora.XLoraOverrides;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.PATCH;
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

/** X-LoRAs: the adapters that are mixtures with a classifier. They are adapters, too; here is what only they have. */
@Path("/api/v1/xloras")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "X-LoRAs", description = "Mixtures of adapters with a classifier, their settings, and what adapters count")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class XLoraResource {
    private final XLoraService xloras;

    XLoraResource(XLoraService xloras) {
        this.xloras = xloras;
    }

    @GET
    @Operation(operationId = "listXLoras", summary = "List X-LoRAs by name")
    @APIResponse(responseCode = "200", description = "X-LoRAs")
    public List<XLora> list() {
        return xloras.list();
    }

    @GET
    @Path("{name}")
    @Operation(
            operationId = "getXLora",
            summary = "One X-LoRA",
            description = "Its settings and sites, and what its adapters counted so far, by adapter and by layer.")
    @APIResponse(
            responseCode = "200",
            description = "The X-LoRA",
            headers = @Header(name = "ETag", description = "The revision of its overrides, for If-Match"),
            content = @Content(schema = @Schema(implementation = XLora.class)))
    public Response get(@PathParam("name") String name) {
        return tagged(Response.ok(), xloras.get(name));
    }

    @GET
    @Path("{name}/revisions")
    @Operation(operationId = "listXLoraRevisions", summary = "The revisions of an X-LoRA's overrides, newest first")
    @APIResponse(responseCode = "200", description = "Revisions")
    public List<XLoraRevision> revisions(@PathParam("name") String name) {
        return xloras.revisions(name);
    }

    /** What registering takes. */
    record XLoraRegistration(
            @Schema(required = true, description = "What requests call it")
            String name,

            @Schema(required = true, description = "Its package, relative to the adapters root")
            String source) {}

    @POST
    @Operation(
            operationId = "registerXLora",
            summary = "Register an X-LoRA",
            description = "It is checked first; the worker loads it soon after. With dry_run only the check is made.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = XLoraRegistration.class)))
    @APIResponse(
            responseCode = "201",
            description = "Registered",
            headers = @Header(name = "Location", description = "The X-LoRA"),
            content = @Content(schema = @Schema(implementation = XLora.class)))
    @APIResponse(
            responseCode = "200",
            description = "It was registered from this source already; with dry_run an AdapterReport",
            content = @Content(schema = @Schema(oneOf = {XLora.class, AdapterReport.class})))
    @APIResponse(
            responseCode = "422",
            description = "It cannot be used; all findings at once, in findings",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response register(
            @QueryParam("dry_run") @DefaultValue("false") @Parameter(description = "Only check") boolean dryRun,
            byte[] body,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        StrictBody request = StrictBody.read(body, Set.of("name", "source"));
        String source = request.required("source");
        if (dryRun) {
            return Response.ok(xloras.check(source)).build();
        }
        Admitted admitted = xloras.admit(request.required("name"), source, Actor.client(Callers.name(caller)));
        return tagged(
                admitted.created()
                        ? Response.created(uri.getAbsolutePathBuilder()
                                .segment(admitted.xlora().name())
                                .build())
                        : Response.ok(),
                admitted.xlora());
    }

    /** What PATCH takes; each may be null, which is as the package says. */
    @Schema(name = "XLoraPatch")
    record Patch(
            @Schema(name = "top_k", minimum = "1", nullable = true)
            int topK,

            @Schema(name = "softmax_temperature", nullable = true)
            double softmaxTemperature,

            @Schema(name = "global_scaling_weight", nullable = true)
            double globalScalingWeight,

            @Schema(name = "non_granular_index", minimum = "1", nullable = true)
            int nonGranularIndex) {}

    @PATCH
    @Path("{name}")
    @Consumes({"application/merge-patch+json", MediaType.APPLICATION_JSON})
    @Operation(
            operationId = "patchXLora",
            summary = "Set an X-LoRA otherwise than its package",
            description =
                    "A JSON Merge Patch: null = as the package says, what is left out stays. New requests have it;"
                            + " those under way end as they began.")
    @RequestBody(
            required = true,
            content = @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Patch.class)))
    @APIResponse(
            responseCode = "200",
            description = "The X-LoRA",
            headers = @Header(name = "ETag", description = "The new revision"),
            content = @Content(schema = @Schema(implementation = XLora.class)))
    @APIResponse(
            responseCode = "409",
            description = "If-Match is not the latest revision",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "428",
            description = "If-Match is missing",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response patch(
            @PathParam("name") String name,
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            byte[] body,
            @Context SecurityContext caller) {
        long expected = Revisions.expected(ifMatch, xloras.get(name).revision());
        StrictBody patch = StrictBody.read(
                body, Set.of("top_k", "softmax_temperature", "global_scaling_weight", "non_granular_index"));
        XLora changed = xloras.change(
                name,
                now -> new XLoraOverrides(
                        patch.patched("top_k", now.topK()),
                        patch.patched("softmax_temperature", now.softmaxTemperature()),
                        patch.patched("global_scaling_weight", now.globalScalingWeight()),
                        patch.patched("non_granular_index", now.nonGranularIndex())),
                expected,
                Callers.name(caller));
        return tagged(Response.ok(), changed);
    }

    @DELETE
    @Path("{name}")
    @Operation(
            operationId = "retireXLora",
            summary = "Give an X-LoRA up",
            description = "Requests that run with it end as they began; then its memory is free.")
    @APIResponse(responseCode = "204", description = "Its name is free")
    public void retire(@PathParam("name") String name, @Context SecurityContext caller) {
        xloras.retire(name, Actor.client(Callers.name(caller)));
    }

    private static Response tagged(Response.ResponseBuilder response, XLora xlora) {
        return response.header(HttpHeaders.ETAG, Revisions.tag(xlora.revision()))
                .entity(xlora)
                .build();
    }
}
