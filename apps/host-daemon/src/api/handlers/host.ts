import {
	asKnibError,
	type HostView,
	hostInputSchema,
	initInputSchema,
	KnibError,
} from "@knib/core";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { peersOf } from "./peer.ts";

/** A host by name, id, or the beginning or end of its id. Throws NOT_FOUND, AMBIGUOUS_ID. */
export const findHost = (
	{ host, peers }: Pick<ApiDeps, "host" | "peers">,
	text: string,
): ApiDeps["host"] => {
	const part = text.length >= 4 && (host.id.startsWith(text) || host.id.endsWith(text));
	if (text === host.name || part) return host;
	const others = peers?.mesh.members.others() ?? [];
	if (peers !== undefined && others.length > 0) return peers.mesh.members.find(text);
	throw new KnibError(
		"NOT_FOUND",
		`no host ${text} is known: this is ${host.name}, and it has no peers`,
	);
};

/** The view of this host. Effects: asks libvirt. */
export const viewHost = async (
	deps: Pick<ApiDeps, "daemon" | "hypervisor" | "books" | "host" | "now" | "peers">,
): Promise<HostView> => {
	const { startedAt, version } = deps.daemon();
	const [versions, vms, scratchDirectory] = await Promise.all([
		deps.hypervisor.versions().catch(asKnibError),
		deps.hypervisor.list().catch(asKnibError),
		deps.books.settings.value("host.scratch.directory", {}),
	]);
	const keyProblem = deps.peers?.mesh.ownKey.problem() ?? null;
	const failed = [versions, vms].flatMap((answer) =>
		answer instanceof KnibError ? [answer.message] : [],
	);
	if (keyProblem !== null) failed.push(keyProblem);
	return {
		...deps.host,
		self: true,
		state: failed.length === 0 ? "online" : "degraded",
		problems: [...new Set(failed)],
		seenAt: deps.now(),
		startedAt,
		version,
		libvirt: versions instanceof KnibError ? null : versions.libvirt,
		qemu: versions instanceof KnibError ? null : versions.qemu,
		scratchDirectory,
		vms: vms instanceof KnibError ? null : vms.length,
		key: deps.peers?.mesh.ownKey.view() ?? null,
	};
};

/** This host, and its peers as they were last known. */
export const hostProcedures = {
	list: procedure.query(async ({ ctx: { deps } }) => [
		await viewHost(deps),
		...((await deps.peers?.views.hosts()) ?? []),
	]),
	show: procedure.input(hostInputSchema).query(async ({ ctx: { deps }, input }) => {
		const { id } = findHost(deps, input.host);
		const member = deps.peers?.mesh.members.get(id);
		return member === undefined ? await viewHost(deps) : await peersOf(deps).views.host(member);
	}),
};

/** The daemon itself. */
export const daemonProcedures = {
	info: procedure.query(({ ctx }) => ctx.deps.daemon()),
	init: procedure.input(initInputSchema).mutation(({ ctx, input }) => ctx.deps.init(input)),
};
