import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { KnibError, type Role } from "@knib/core";

/** How long a code holds. */
export const INVITE_MS = 3_600_000;
const MOST_INVITES = 100;

type Invite = { readonly hash: Buffer; readonly role: Role; readonly until: number };

const hashOf = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** The codes that this daemon has given out and that nobody has used yet; they end with the process. */
export const createInvites = (nowMs: () => number) => {
	let open: readonly Invite[] = [];
	return {
		/** A secret that holds once, and until when, milliseconds. */
		make: (role: Role): { readonly secret: string; readonly until: number } => {
			const secret = randomBytes(16).toString("base64url");
			const until = nowMs() + INVITE_MS;
			open = [...open, { hash: hashOf(secret), role, until }].slice(-MOST_INVITES);
			return { secret, until };
		},
		/** The role that a secret gives; it holds no more afterwards. Throws PAIRING_FAILED. */
		take: (secret: string): Role => {
			const hash = hashOf(secret);
			const found = open.find((one) => timingSafeEqual(one.hash, hash));
			open = open.filter((one) => one !== found && one.until > nowMs());
			if (found === undefined) {
				throw new KnibError("PAIRING_FAILED", "the code is not known here, or was used already");
			}
			if (found.until <= nowMs()) throw new KnibError("PAIRING_FAILED", "the code has expired");
			return found.role;
		},
	};
};
export type Invites = ReturnType<typeof createInvites>;
