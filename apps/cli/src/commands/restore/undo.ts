import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { undoResult } from "../../print/results.ts";

export default class RestoreUndo extends JobCommand {
	static override summary = "go back to the disks that a VM had before it was restored in place";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };
	static override flags = jobFlags;

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestoreUndo);
		const request = { type: "Restore", mode: "undo", vm: args.vm } as const;
		await this.connected(flags, (client) => this.carryOut(client, flags, request, undoResult));
	}
}
