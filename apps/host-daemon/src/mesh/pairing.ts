// What hosts tell each other while they are paired, and how one that was invited is taken in.
import { KnibError } from "@knib/core";
import { z } from "zod";
import type { Invites } from "./invites.ts";
import type { MemberBook } from "./member-book.ts";

const requestSchema = z.object({
	secret: z.string().max(100),
	name: z.string().min(1).max(200),
	address: z.string().max(300).nullable(),
});

/** What the host that invited answers. */
export const welcomeSchema = z.object({
	name: z.string().min(1).max(200),
	address: z.string().nullable(),
});
export type Welcome = z.infer<typeof welcomeSchema>;

type Deps = {
	readonly members: Pick<MemberBook, "get" | "write">;
	readonly invites: Pick<Invites, "take">;
	/** This host, as it answers. */
	readonly own: () => Welcome;
};

/** Answers a host that wants to be paired. Rejects with PAIRING_FAILED; effects: uses up the invitation, writes the member. */
export const createPairing =
	({ members, invites, own }: Deps) =>
	async (peer: string, body: unknown): Promise<Welcome> => {
		const asked = requestSchema.safeParse(body);
		if (!asked.success) throw new KnibError("PAIRING_FAILED", "the request is not understood");
		if (members.get(peer)?.removed === true) {
			throw new KnibError("PAIRING_FAILED", "this host was removed by its peers", {
				details: { hint: "a removed host comes back only with a new key and an empty store" },
			});
		}
		const role = invites.take(asked.data.secret);
		const { address } = asked.data;
		await members.write(peer, {
			...{ name: asked.data.name, role },
			...(address === null ? {} : { address }),
		});
		return own();
	};
