import { type ValidationStep, validationStepSchema } from "@knib/core";
import { Flags } from "@oclif/core";
import { backupArg, backupOfFlag, idOfBackup } from "../../backup-arg.ts";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { validationResult } from "../../print/validation.ts";

export default class BackupValidate extends JobCommand {
	static override summary =
		"prove a backup: re-read its layers, then boot it in a throw-away VM without network";
	static override args = {
		backup: backupArg,
	};
	static override flags = {
		...jobFlags,
		vm: backupOfFlag,
		steps: Flags.custom<ValidationStep>({
			summary: "steps instead of those of the backup's offering",
			options: [...validationStepSchema.options],
			multiple: true,
			multipleNonGreedy: true,
			delimiter: ",",
			parse: async (text) => validationStepSchema.parse(text),
		})(),
		"digests-only": Flags.boolean({
			summary: "re-read the layers and start no VM",
			default: false,
			exclusive: ["steps"],
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupValidate);
		const { steps } = flags;
		await this.connected(flags, async (client) => {
			const backup = await idOfBackup(client, { ...args, vm: flags.vm });
			await this.carryOut(
				client,
				flags,
				{
					type: "BackupValidation",
					backup,
					mode: flags["digests-only"] ? "digest" : "boot",
					...(steps === undefined ? {} : { steps }),
				},
				validationResult,
			);
		});
	}
}
