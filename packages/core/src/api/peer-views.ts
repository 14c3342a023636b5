// What the commands of `knib peer` take and print.
import { z } from "zod";
import { type Role, roleSchema } from "../replication/members.ts";

const argument = z.string().min(1).max(500);
const dryRun = z.boolean().default(false);

export const peerInviteInputSchema = z.strictObject({
	role: roleSchema.default("operator"),
});
export const peerJoinInputSchema = z.strictObject({ code: z.string().min(1).max(1000), dryRun });
export const peerInputSchema = z.strictObject({ peer: argument });
export const peerRoleInputSchema = z.strictObject({ peer: argument, role: roleSchema, dryRun });
export const peerRotateKeyInputSchema = z.strictObject({ dryRun });
export const peerRemoveInputSchema = z.strictObject({ peer: argument, dryRun });

/** A code that pairs one host with this one, once. */
export type InviteView = {
	readonly code: string;
	readonly expiresAt: string;
	/** This host, to be compared with what the other side shows. */
	readonly host: { readonly id: string; readonly name: string };
	readonly role: Role;
};

/** Which key of its own a host has. */
export type KeyView = {
	/** From 1. */
	readonly number: number;
	/** When it took the place of another one, as its host says; null for the first, or where that is not known. */
	readonly since: string | null;
};

export type PeerView = {
	readonly id: string;
	readonly name: string;
	readonly address: string | null;
	/** `through-others`: no link to it is kept, nor wanted; what it writes comes through kept peers. */
	readonly state: "connected" | "reconnecting" | "through-others" | "removed";
	/** True when this host keeps a link to it, or tries to; documents of the others pass through kept peers. */
	readonly kept: boolean;
	readonly role: Role;
	/** When a link to it was last open, which is not when its documents last came; null when there never was one. */
	readonly lastSeen: string | null;
	/** Documents that it does not have yet, and how old the oldest of them is; null until it has said how far it is, and while no link to it is kept, over which it would say so. */
	readonly lagDocuments: number | null;
	readonly lagMs: number | null;
	readonly key: KeyView;
};

/** A peer with what came from it since this daemon started. */
export type PeerShown = PeerView & {
	readonly received: {
		readonly accepted: number;
		/** Documents that were not merged, by reason. */
		readonly dropped: Readonly<Record<string, number>>;
		/** Frames that were none; each closed its link. */
		readonly garbage: number;
		/** Frames that nobody had asked for. */
		readonly unexpected: number;
	};
	/** Its clock minus this host's, ms; null while it is not connected. */
	readonly skewMs: number | null;
	readonly warnings: readonly string[];
};

/** A field that hosts have set to different values without knowing of each other. */
export type ConflictView = {
	readonly kind: string;
	readonly id: string;
	readonly name: string | null;
	readonly field: string;
	readonly kept: { readonly value?: unknown; readonly host: string; readonly at: string };
	readonly lost: { readonly value?: unknown; readonly host: string; readonly at: string };
};
