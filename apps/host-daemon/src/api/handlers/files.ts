import { filesListInputSchema } from "@knib/core";
import { procedure } from "../trpc.ts";
import { findBackup } from "./backup.ts";

/** Files of backups. */
export const filesProcedures = {
	list: procedure.input(filesListInputSchema).query(async ({ ctx: { deps }, input }) => {
		await deps.ready;
		return await deps.files.list(await findBackup(deps, input), input);
	}),
};
