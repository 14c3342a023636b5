import {
	asKnibError,
	type HostView,
	hostInputSchema,
	initInputSchema,
	KnibError,
} from "@knib/core";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";

/** A host by name, id, or the beginning or end of its id; only this one is known. Throws NOT_FOUND. */
export const findHost = ({ host }: Pick<ApiDeps, "host">, text: string): ApiDeps["host"] => {
	const part = text.length >= 4 && (host.id.startsWith(text) || host.id.endsWith(text));
	if (text === host.name || part) return host;
	throw new KnibError(
		"NOT_FOUND",
		`no host ${text} is known: this is ${host.name}, and it has no peers`,
	);
};

const viewHost = async (deps: ApiDeps): Promise<HostView> => {
	const { startedAt, version } = deps.daemon();
	const [versions, vms, scratchDirectory] = await Promise.all([
		deps.hypervisor.versions().catch(asKnibError),
		deps.hypervisor.list().catch(asKnibError),
		deps.books.settings.value("host.scratch.directory", {}),
	]);
	const failed = [versions, vms].flatMap((answer) =>
		answer instanceof KnibError ? [answer.message] : [],
	);
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
	};
};

/** Hosts; this one alone until peers are paired. */
export const hostProcedures = {
	list: procedure.query(async ({ ctx }) => [await viewHost(ctx.deps)]),
	show: procedure.input(hostInputSchema).query(({ ctx: { deps }, input }) => {
		findHost(deps, input.host);
		return viewHost(deps);
	}),
};

/** The daemon itself. */
export const daemonProcedures = {
	info: procedure.query(({ ctx }) => ctx.deps.daemon()),
	init: procedure.input(initInputSchema).mutation(({ ctx, input }) => ctx.deps.init(input)),
};
