import { filesListInputSchema, filesLogInputSchema, KnibError } from "@knib/core";
import { procedure } from "../trpc.ts";
import { findVmOrPast } from "../vm-views.ts";
import { findBackup } from "./backup.ts";

/** Files of backups. */
export const filesProcedures = {
	list: procedure.input(filesListInputSchema).query(async ({ ctx: { deps }, input }) => {
		await deps.ready;
		return await deps.files.list(await findBackup(deps, input), input);
	}),
	log: procedure.input(filesLogInputSchema).query(async ({ ctx: { deps }, input }) => {
		await deps.ready;
		const { uuid, name } = await findVmOrPast(deps, input.vm);
		const views = (await deps.books.backups.list({ vm: uuid, all: false })).toSorted((a, b) =>
			(a.pointInTime ?? "") < (b.pointInTime ?? "") ? -1 : 1,
		);
		if (views.length === 0) throw new KnibError("NOT_FOUND", `there is no backup of ${name}`);
		return await deps.files.log({ uuid, name }, views, input);
	}),
};
