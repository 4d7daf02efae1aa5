// Fingerprint or face: what this phone's authenticator is asked, beside the phone's own key (WebAuthn).

import { base64url, config, confirmationCode, drop, keep, kept, nonce, says } from "./core.js";

export const ASK_MS = 50_000; // the server's nonce lives a minute
const KEPT = "biometric";
const ALGORITHMS = [-7, -8, -257]; // ES256, EdDSA, RS256

export class NoFinger extends Error {}

const encoded = (text) => new TextEncoder().encode(text);
const sha256 = async (octets) => new Uint8Array(await crypto.subtle.digest("SHA-256", octets));
const octetsOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

// off, optional or required: what sign-ins here may ask for, where this phone could give it.
export async function offered() {
  const { biometrics } = await config();
  try {
    if (!(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return "off";
  } catch {
    return "off"; // a browser without it
  }
  return biometrics.asked;
}

async function asking(work) {
  try {
    const credential = await work;
    if (credential) return credential;
  } catch (problem) {
    throw new NoFinger(problem.name);
  }
  throw new NoFinger("none");
}

// A new one, for this phone alone: with a handle of its own, a second phone does not take its place.
export async function setUp(phone) {
  const fresh = await nonce();
  const { id, response } = await asking(
    navigator.credentials.create({
      publicKey: {
        rp: { id: location.hostname, name: "radius-push" },
        user: { id: encoded(phone.device), name: phone.account, displayName: phone.account },
        challenge: await sha256(encoded(`radius-push biometric v1\0${phone.device}\0${fresh}`)),
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: {
          authenticatorAttachment: "platform",
          residentKey: "discouraged",
          userVerification: "required",
        },
        attestation: "none",
        timeout: ASK_MS,
      },
    }),
  );
  // Kept first: without it nobody could be told its code.
  await keep(KEPT, { id, device: phone.device, mark: await sha256(response.attestationObject) });
  await says(phone, "/api/biometric", "biometric", {
    nonce: fresh,
    client_data: base64url(response.clientDataJSON),
    attestation: base64url(response.attestationObject),
  });
}

export async function remove(phone) {
  await says(phone, "/api/biometric", "biometric", { client_data: null, attestation: null });
  await drop(KEPT);
}

// For exactly this text, which the phone's own key has signed.
export async function use(credential, payload, milliseconds) {
  const { rawId, response } = await asking(
    navigator.credentials.get({
      publicKey: {
        rpId: location.hostname,
        challenge: await sha256(encoded(payload)),
        allowCredentials: [{ type: "public-key", id: octetsOf(credential), transports: ["internal"] }],
        userVerification: "required",
        timeout: Math.max(1, milliseconds),
      },
    }),
  );
  return {
    credential: base64url(rawId),
    client_data: base64url(response.clientDataJSON),
    authenticator_data: base64url(response.authenticatorData),
    assertion: base64url(response.signature),
  };
}

// The six digits of this phone, and of the one that waits, if there is one: `waiting` is its id, as the
// server says, or undefined as long as it has not said so. Null: it was not made here.
export async function codeOf(phone, waiting) {
  const known = await kept(KEPT).catch(() => undefined);
  const mine = known?.device === phone.device && (waiting === undefined || waiting === known.id);
  if (waiting && !mine) return null;
  return confirmationCode(phone, mine ? known.mark : undefined);
}
