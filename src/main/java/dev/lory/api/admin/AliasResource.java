package dev.lory.api.admin;

import dev.lory.api.Problem;
import dev.lory.registry.Alias;
import dev.lory.registry.Alias.Target;
import dev.lory.registry.AliasService;
import dev.lory.registry.AliasService.Changed;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.DefaultValue;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.PUT;
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
import java.util.OptionalLong;
import java.util.Set;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.headers.Header;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.parameters.RequestBody;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** Names for mixtures and canaries, and their revisions. */
@Path("/api/v1/aliases")
@Produces(MediaType.APPLICATION_JSON)
@RunOnVirtualThread
@Tag(name = "Aliases", description = "Names for mixtures and canaries; each change of a name is a revision of it")
@APIResponse(
        responseCode = "default",
        description = "An error",
        content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
public class AliasResource {
    private final AliasService aliases;

    AliasResource(AliasService aliases) {
        this.aliases = aliases;
    }

    /** What an alias is to stand for; see {@link StrictBody#adapters}. */
    record AliasRequest(
            @Schema(
                    required = true,
                    description =
                            "One = a mixture; several share the requests. A share left out is 1, no adapters = the"
                                    + " base model",
                    examples =
                            "[{\"adapters\": [\"math\"], \"share\": 90}, {\"adapters\": [{\"name\": \"math\", \"weight\": 0.5}],"
                                    + " \"share\": 10}]")
            List<Target> targets) {}

    @GET
    @Operation(operationId = "listAliases", summary = "List aliases by name")
    @APIResponse(responseCode = "200", description = "Aliases")
    public List<Alias> list() {
        return aliases.list();
    }

    @GET
    @Path("{name}")
    @Operation(operationId = "getAlias", summary = "What an alias stands for")
    @APIResponse(
            responseCode = "200",
            description = "The latest revision",
            headers = @Header(name = "ETag", description = "The revision, for If-Match"),
            content = @Content(schema = @Schema(implementation = Alias.class)))
    public Response get(@PathParam("name") String name) {
        return tagged(Response.ok(), aliases.get(name));
    }

    @PUT
    @Path("{name}")
    @Operation(
            operationId = "replaceAlias",
            summary = "Make an alias, or replace what it stands for",
            description =
                    "With If-None-Match: * to make it, with If-Match to replace it. Requests under way end as they"
                            + " began.")
    @RequestBody(
            required = true,
            content =
                    @Content(
                            mediaType = MediaType.APPLICATION_JSON,
                            schema = @Schema(implementation = AliasRequest.class)))
    @APIResponse(
            responseCode = "201",
            description = "A new name",
            headers = {
                @Header(name = "Location", description = "The alias"),
                @Header(name = "ETag", description = "Its revision")
            },
            content = @Content(schema = @Schema(implementation = Alias.class)))
    @APIResponse(
            responseCode = "200",
            description = "A new revision; or the latest one, if it says the same",
            headers = @Header(name = "ETag", description = "The revision"),
            content = @Content(schema = @Schema(implementation = Alias.class)))
    @APIResponse(
            responseCode = "409",
            description = "If-Match is not the latest revision, or the name is taken",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "422",
            description = "It cannot be used; all findings at once, in findings",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "428",
            description = "If-Match and If-None-Match are missing",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public Response replace(
            @PathParam("name") String name,
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            @HeaderParam(HttpHeaders.IF_NONE_MATCH) @DefaultValue("") String ifNoneMatch,
            byte[] body,
            @Context UriInfo uri,
            @Context SecurityContext caller) {
        long expected = Revisions.expected(ifMatch, ifNoneMatch, aliases.revisionOf(name));
        List<Target> targets =
                StrictBody.read(body, Set.of("targets")).objects("targets", Set.of("adapters", "share")).stream()
                        .map(target -> new Target(target.adapters("adapters"), target.number("share", 1)))
                        .toList();
        Changed made = aliases.replace(name, targets, expected, Callers.name(caller));
        return made.created()
                ? tagged(Response.created(uri.getAbsolutePath()), made.alias())
                : tagged(Response.ok(), made.alias());
    }

    @DELETE
    @Path("{name}")
    @Operation(
            operationId = "deleteAlias",
            summary = "Take a name away",
            description = "Its revisions stay; a rollback to one of them brings it back.")
    @APIResponse(responseCode = "204", description = "The name is free")
    @APIResponse(
            responseCode = "409",
            description = "If-Match is not the latest revision",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    @APIResponse(
            responseCode = "428",
            description = "If-Match is missing",
            content = @Content(mediaType = Problem.MEDIA_TYPE, schema = @Schema(implementation = Problem.class)))
    public void delete(
            @PathParam("name") String name,
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            @Context SecurityContext caller) {
        long current = aliases.get(name).revision();
        aliases.delete(name, Revisions.expected(ifMatch, current), Callers.name(caller));
    }

    @GET
    @Path("{name}/revisions")
    @Operation(operationId = "listAliasRevisions", summary = "The revisions of an alias, newest first")
    @APIResponse(responseCode = "200", description = "Revisions")
    public List<Alias> revisions(@PathParam("name") String name) {
        return aliases.revisions(name);
    }

    @GET
    @Path("{name}/revisions/{revision}")
    @Operation(operationId = "getAliasRevision", summary = "One revision of an alias")
    @APIResponse(responseCode = "200", description = "The revision")
    public Alias revision(@PathParam("name") String name, @PathParam("revision") int revision) {
        return aliases.revision(name, revision);
    }

    @POST
    @Path("{name}/rollback")
    @Operation(
            operationId = "rollbackAlias",
            summary = "Make the targets of an older revision the latest again",
            description = "A new revision with the old one's targets. With If-Match only if that is still the latest.")
    @APIResponse(
            responseCode = "201",
            description = "A new revision",
            headers = @Header(name = "ETag", description = "The new revision"),
            content = @Content(schema = @Schema(implementation = Alias.class)))
    @APIResponse(
            responseCode = "200",
            description = "It stands for that already",
            headers = @Header(name = "ETag", description = "The revision"),
            content = @Content(schema = @Schema(implementation = Alias.class)))
    public Response rollback(
            @PathParam("name") String name,
            @QueryParam("to") @Parameter(description = "The revision to go back to") int to,
            @HeaderParam(HttpHeaders.IF_MATCH) @DefaultValue("") String ifMatch,
            @Context SecurityContext caller) {
        OptionalLong expected = ifMatch.isBlank()
                ? OptionalLong.empty()
                : OptionalLong.of(Revisions.expected(ifMatch, aliases.revisionOf(name)));
        Changed made = aliases.rollback(name, to, expected, Callers.name(caller));
        return tagged(made.changed() ? Response.status(Response.Status.CREATED) : Response.ok(), made.alias());
    }

    private static Response tagged(Response.ResponseBuilder response, Alias alias) {
        return response.header(HttpHeaders.ETAG, Revisions.tag(alias.revision()))
                .entity(alias)
                .build();
    }
}
