import {
	type BackupPage,
	type BackupShown,
	type BackupView,
	backupBrief,
	backupChangeInputSchema,
	backupFilterSchema,
	backupInputSchema,
	backupPageInputSchema,
	type ChainShown,
	chainFilterSchema,
	chainInputSchema,
	KnibError,
	matchIds,
} from "@knib/core";
import type { z } from "zod";
import { listTrash } from "../../facts/list-trash.ts";
import { readScreenshot } from "../../repository/read-screenshot.ts";
import type { ApiDeps } from "../context.ts";
import { procedure } from "../trpc.ts";
import { findVmOrPast } from "../vm-views.ts";

/** The backup that an id, a part of one, or `latest` with a VM names. */
export const findBackup = async (
	deps: Pick<ApiDeps, "books" | "hypervisor">,
	input: Pick<z.infer<typeof backupInputSchema>, "backup" | "vm">,
): Promise<BackupView> => {
	const { backups } = deps.books;
	const vm = input.vm === undefined ? undefined : await findVmOrPast(deps, input.vm);
	if (input.backup === "latest") {
		if (vm !== undefined) return await backups.latest(vm.uuid);
		throw new KnibError("USAGE", "`latest` names a VM's newest backup: say which with --vm");
	}
	const found = await backups.find(input.backup);
	if (vm === undefined || found.vm.uuid === vm.uuid) return found;
	throw new KnibError(
		"NOT_FOUND",
		`backup ${input.backup} is one of ${found.vm.name}, not of ${vm.name}`,
	);
};

/** Restore points, as the view has them. */
export const backupProcedures = {
	list: procedure.input(backupFilterSchema).query(async ({ ctx: { deps }, input }) => {
		const vm = input.vm === undefined ? undefined : (await findVmOrPast(deps, input.vm)).uuid;
		return await deps.books.backups.list(vm === undefined ? input : { ...input, vm });
	}),
	/** Backups as long lists show them, newest first, in parts. A page that is gone meanwhile starts from the newest. */
	page: procedure
		.input(backupPageInputSchema)
		.query(async ({ ctx: { deps }, input }): Promise<BackupPage> => {
			const { vm, after, limit } = input;
			const filter = vm === undefined ? { all: true } : { all: true, vm };
			const all = (await deps.books.backups.list(filter)).toReversed();
			const from = all.findIndex(({ id }) => id === after) + 1;
			const backups = all.slice(from, from + limit).map(backupBrief);
			const more = from + limit < all.length;
			return { backups, next: more ? (backups.at(-1)?.id ?? null) : null };
		}),
	/** What the trash still holds of deleted backups. */
	trash: procedure.input(backupFilterSchema).query(async ({ ctx: { deps }, input }) => {
		const { vm, chain } = input;
		const { backups, unreadable } = await listTrash(deps.books.catalog);
		const wanted = backups
			.filter((view) => vm === undefined || view.vm.uuid === vm || view.vm.name === vm)
			.filter(
				(view) => chain === undefined || matchIds([view], chain, (v) => v.chain ?? "").length > 0,
			);
		return { backups: wanted, unreadable };
	}),
	show: procedure
		.input(backupInputSchema)
		.query(async ({ ctx: { deps }, input }): Promise<BackupShown> => {
			const view = await findBackup(deps, input);
			return { ...view, blocked: await deps.care.blocked(view) };
		}),
	undelete: procedure
		.input(backupChangeInputSchema)
		.mutation(({ ctx: { deps }, input }) => deps.care.undelete(input.backup, input.dryRun)),
	pin: procedure
		.input(backupChangeInputSchema)
		.mutation(({ ctx: { deps, user }, input }) => deps.care.pin(input.backup, user, input.dryRun)),
	unpin: procedure
		.input(backupChangeInputSchema)
		.mutation(({ ctx: { deps }, input }) => deps.care.unpin(input.backup, input.dryRun)),
	/** The screen of its last validation, PNG in base64. */
	screenshot: procedure.input(backupInputSchema).query(async ({ ctx: { deps }, input }) => {
		const view = await findBackup(deps, input);
		const repository = await deps.books.catalog.open(view.repository ?? "");
		const backup = await repository.find(view.id);
		if (backup === undefined) {
			throw new KnibError("NOT_FOUND", `backup ${view.id} is not in its repository any more`);
		}
		const { at, png } = await readScreenshot(backup);
		return { backup: view.id, at, png: Buffer.from(png).toString("base64") };
	}),
};

/** Chains, as the view has them. */
export const chainProcedures = {
	list: procedure.input(chainFilterSchema).query(async ({ ctx: { deps }, input }) => {
		const vm = input.vm === undefined ? undefined : (await findVmOrPast(deps, input.vm)).uuid;
		return await deps.books.backups.chains(vm);
	}),
	show: procedure
		.input(chainInputSchema)
		.query(async ({ ctx: { deps }, input }): Promise<ChainShown> => {
			const view = await deps.books.backups.findChain(input.chain);
			return { ...view, blocked: await deps.care.blockedOf(view) };
		}),
};
