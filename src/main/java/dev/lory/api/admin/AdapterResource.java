package dev.lory.api.admin;

import static dev.lory.error.ServiceException.invalid;

import dev.lory.adapter.AdapterReport;
import dev.lory.api.Problem;
import dev.lory.registry.Actor;
import dev.lory.registry.Adapter;
import dev.lory.registry.AdapterService;
import dev.lory.registry.AdapterService.Admitted;
import dev.lory.registry.AdapterService.Mixture;
import dev.lory.registry.AdapterTransition;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
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
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jboss.resteasy.reactive.ResponseStatus;
import org.jboss.resteasy.reactive.RestForm;
import org.jboss.resteasy.reactive.multipart.FileUpload;

/** The adapters that requests may name. */
@Path("/api/v1/adapters")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Adapters", description = "The adapters that requests may name, and their states")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class AdapterResource {
    private static final int MAX_WAIT = 600;
    private static final String MERGED = "merged_adapters";

    private final AdapterService adapters;

    AdapterResource(AdapterService adapters) {
        this.adapters = adapters;
    }

    @GET
    @Operation(operationId = "listAdapters", summary = "List adapters by name")
    @APIResponse(responseCode = "200", description = "Adapters")
    public List<Adapter> list() {
        return adapters.list();
    }

    @GET
    @Path("{name}")
    @Operation(operationId = "getAdapter", summary = "One adapter")
    @APIResponse(responseCode = "200", description = "The adapter")
    public Adapter get(@PathParam("name") String name) {
        return adapters.get(name);
    }

    @GET
    @Path("{name}/transitions")
    @Operation(operationId = "listAdapterTransitions", summary = "The states an adapter has been in, oldest first")
    @APIResponse(responseCode = "200", description = "Transitions")
    public List<AdapterTransition> transitions(@PathParam("name") String name) {
        return adapters.transitions(name);
    }

    /** What registering by path takes. */
    record Registration(
            @Schema(description = "What requests call it") String name,

            @Schema(description = "Its PEFT folder, relative to the adapters root, or `upload:` and a digest")
            String source,

            @Schema(name = "merged_adapters", description = "Instead of source: adapters that it is to be made of")
            MixtureBody mergedAdapters) {}

    /** What an upload has. */
    record UploadForm(
            @Schema(description = "What requests call it") String name,

            @Schema(description = "adapter_config.json, adapter_model.safetensors and, if signed, adapter.sig")
            List<FileUpload> files) {}

    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Operation(
            operationId = "registerAdapter",
            summary = "Register an adapter, by path, by upload, or as a mixture of others",
            description = "It is checked first; the worker loads it soon after. With dry_run only the check is made.")
    @RequestBody(
            required = true,
            content = {
                @Content(mediaType = MediaType.APPLICATION_JSON, schema = @Schema(implementation = Registration.class)),
                @Content(mediaType = MediaType.MULTIPART_FORM_DATA, schema = @Schema(implementation = UploadForm.class))
            })
    @APIResponse(
            responseCode = "201",
            description = "Registered",
            headers = @Header(name = "Location", description = "The adapter"),
            content = @Content(schema = @Schema(implementation = Adapter.class)))
    @APIResponse(
            responseCode = "200",
            description = "It was registered from this source already; with dry_run an AdapterReport",
            content = @Content(schema = @Schema(oneOf = {Adapter.class, AdapterReport.class})))
    @APIResponse(
            responseCode = "422",
            description = "It cannot be used; all findings at once, in findings",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response register(
            @QueryParam("dry_run") @DefaultValue("false") @Parameter(description = "Only check") boolean dryRun,
            byte[] body,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        StrictBody request = StrictBody.read(body, Set.of("name", "source", MERGED));
        if (request.has("source") && request.has(MERGED)) {
            throw request.refused(MERGED, "goes without source");
        }
        Actor actor = Actor.client(Callers.name(caller));
        if (request.has(MERGED)) {
            Mixture mixture = MixtureBody.read(request);
            return dryRun
                    ? Response.ok(adapters.check(mixture)).build()
                    : admitted(adapters.admit(request.required("name"), mixture, actor), uri);
        }
        String source = request.required("source");
        return dryRun
                ? Response.ok(adapters.check(source)).build()
                : admitted(adapters.admit(request.required("name"), source, actor), uri);
    }

    @POST
    @Consumes(MediaType.MULTIPART_FORM_DATA)
    @Operation(operationId = "uploadAdapter", hidden = true)
    public Response upload(
            @QueryParam("dry_run") @DefaultValue("false") boolean dryRun,
            @RestForm @DefaultValue("") String name,
            @RestForm(FileUpload.ALL) List<FileUpload> uploaded,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        Map<String, java.nio.file.Path> files = new LinkedHashMap<>();
        for (FileUpload file : uploaded) {
            if (files.put(file.fileName(), file.uploadedFile()) != null) {
                throw invalid("files", "the file `" + file.fileName() + "` is there twice");
            }
        }
        if (dryRun) {
            return Response.ok(adapters.check(files)).build();
        }
        return admitted(adapters.admit(name, files, Actor.client(Callers.name(caller))), uri);
    }

    private static Response admitted(Admitted admitted, UriInfo uri) {
        URI location = uri.getBaseUriBuilder()
                .path("api/v1/adapters")
                .segment(admitted.adapter().name())
                .build();
        return Response.status(admitted.created() ? Response.Status.CREATED : Response.Status.OK)
                .header(HttpHeaders.LOCATION, location)
                .entity(admitted.adapter())
                .build();
    }

    @GET
    @Path("{name}/report")
    @Operation(
            operationId = "getAdapterReport",
            summary = "Check an adapter's folder once more",
            description = "Files with their SHA-256, each module with rank, scale and norms, and all findings.")
    @APIResponse(responseCode = "200", description = "The report")
    public AdapterReport report(@PathParam("name") String name) {
        return adapters.report(name);
    }

    @POST
    @Path("{name}/load")
    @Operation(
            operationId = "loadAdapter",
            summary = "Have an adapter on the device",
            description = "Even if another must go. Its state tells when it is there, or why it is not.")
    @APIResponse(responseCode = "202", description = "It is being loaded")
    @ResponseStatus(202)
    public Adapter load(@PathParam("name") String name, @Context SecurityContext caller) {
        return adapters.load(name, Actor.client(Callers.name(caller)));
    }

    @POST
    @Path("{name}/unload")
    @Operation(
            operationId = "unloadAdapter",
            summary = "Take an adapter off the device",
            description =
                    "New requests are refused; those that run with it end as they began, then its memory is free.")
    @APIResponse(responseCode = "200", description = "What was released")
    public AdapterService.Unloaded unload(
            @PathParam("name") String name,
            @QueryParam("wait")
                    @DefaultValue("30")
                    @Parameter(description = "Seconds to wait for requests that run with it, at most")
                    int wait,
            @Context SecurityContext caller) {
        return adapters.unload(
                name, Duration.ofSeconds(Math.clamp(wait, 0, MAX_WAIT)), Actor.client(Callers.name(caller)));
    }

    @POST
    @Path("{name}/pin")
    @Operation(operationId = "pinAdapter", summary = "Never evict an adapter")
    @APIResponse(responseCode = "200", description = "The adapter")
    public Adapter pin(@PathParam("name") String name, @Context SecurityContext caller) {
        return adapters.pin(name, true, Actor.client(Callers.name(caller)));
    }

    @DELETE
    @Path("{name}/pin")
    @Operation(operationId = "unpinAdapter", summary = "Let an adapter go when another needs the room")
    @APIResponse(responseCode = "200", description = "The adapter")
    public Adapter unpin(@PathParam("name") String name, @Context SecurityContext caller) {
        return adapters.pin(name, false, Actor.client(Callers.name(caller)));
    }

    @DELETE
    @Path("{name}")
    @Operation(
            operationId = "retireAdapter",
            summary = "Give an adapter up",
            description =
                    "Requests that run with it end as they began; then its memory is free. What was uploaded is deleted.")
    @APIResponse(responseCode = "204", description = "Its name is free")
    @APIResponse(
            responseCode = "409",
            description = "It is active, or being loaded",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public void retire(@PathParam("name") String name, @Context SecurityContext caller) {
        adapters.retire(name, Actor.client(Callers.name(caller)));
    }
}
