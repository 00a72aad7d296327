package dev.lory.adapter;

import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;

/**
 * What is asked of an adapter beyond being right.
 *
 * @param partial whether modules that are named but have no tensors, and tensors for modules that the base does not have, are passed over
 *     with a warning, as PEFT does, instead of refused
 * @param maxBytes of adapter_model.safetensors
 * @param maxRank of any module; 0 = whatever fits
 * @param signers Ed25519 keys, one of which must have signed it; empty = no signature is asked for
 */
public record AdapterPolicy(boolean partial, long maxBytes, int maxRank, List<PublicKey> signers) {
    /** Whole adapters of at most 4 GiB, by whomever. */
    public static final AdapterPolicy DEFAULT = new AdapterPolicy(false, 4L << 30, 0, List.of());

    public AdapterPolicy {
        signers = List.copyOf(signers);
        if (maxBytes < 1 || maxRank < 0) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "--max-adapter-bytes must be at least 1 and --max-lora-rank at least 0, but they are " + maxBytes
                            + " and " + maxRank);
        }
    }

    /**
     * Reads a public key as {@code openssl pkey -pubout} writes it (PEM, RFC 7468).
     *
     * @throws ServiceException {@code INVALID_CONFIGURATION} naming the file
     */
    public static PublicKey signer(Path file) {
        try {
            String base64 = Files.readString(file).replaceAll("-----[A-Z ]+-----|\\s", "");
            byte[] der = Base64.getDecoder().decode(base64);
            return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der));
        } catch (IOException e) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION,
                    "the key " + file + " cannot be read: " + ServiceException.reason(e),
                    e);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new ServiceException(
                    ErrorCode.INVALID_CONFIGURATION, file + " is no Ed25519 public key in PEM: " + e.getMessage(), e);
        }
    }
}
