import { Args } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { confirmResult } from "../../print/results.ts";

export default class RestoreConfirm extends JobCommand {
	static override summary = "delete the disks that a restore in place, or its undo, has set aside";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };
	static override flags = jobFlags;

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestoreConfirm);
		const request = { type: "Restore", mode: "confirm", vm: args.vm } as const;
		await this.connected(flags, (client) => this.carryOut(client, flags, request, confirmResult));
	}
}
