import {
	KnibError,
	peerInputSchema,
	peerInviteInputSchema,
	peerJoinInputSchema,
	peerRemoveInputSchema,
	peerRoleInputSchema,
	peerRotateKeyInputSchema,
} from "@knib/core";
import { carryOut } from "../../catalog/change.ts";
import type { Peers } from "../../mesh/start-peers.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";

/** The peers of this host. Throws REFUSED where the store takes part in no replication. */
export const peersOf = ({ peers }: Pick<ApiDeps, "peers">): Peers => {
	if (peers !== undefined) return peers;
	throw new KnibError("REFUSED", "this daemon keeps a store that is not replicated");
};

/** Other hosts, and what binds this one to them. */
export const peerProcedures = {
	invite: procedure
		.input(peerInviteInputSchema)
		.mutation(({ ctx, input }) => peersOf(ctx.deps).mesh.invite(input.role)),
	join: procedure.input(peerJoinInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { mesh } = peersOf(deps);
		return carryOut(deps.books.turnstile, () => mesh.join(input.code), input.dryRun);
	}),
	list: procedure.query(({ ctx }) => ctx.deps.peers?.mesh.list() ?? []),
	show: procedure
		.input(peerInputSchema)
		.query(({ ctx, input }) => peersOf(ctx.deps).mesh.show(input.peer)),
	/** What this host holds of each kind, in one number each: equal on hosts that hold the same. */
	digest: procedure.query(({ ctx }) => peersOf(ctx.deps).mesh.digests()),
	conflicts: procedure.query(({ ctx }) => ctx.deps.peers?.mesh.conflicts() ?? []),
	role: procedure.input(peerRoleInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { mesh } = peersOf(deps);
		return carryOut(deps.books.turnstile, () => mesh.role(input.peer, input.role), input.dryRun);
	}),
	rotateKey: procedure.input(peerRotateKeyInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { mesh } = peersOf(deps);
		return carryOut(deps.books.turnstile, mesh.ownKey.rotate, input.dryRun);
	}),
	remove: procedure.input(peerRemoveInputSchema).mutation(({ ctx: { deps }, input }) => {
		const { mesh } = peersOf(deps);
		return carryOut(deps.books.turnstile, () => mesh.remove(input.peer), input.dryRun);
	}),
};
