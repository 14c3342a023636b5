import { KnibError } from "@knib/core";
import { Args, Flags } from "@oclif/core";
import { jobFlags } from "../../base-command.ts";
import { JobCommand } from "../../job-command.ts";
import { restoreResult } from "../../print/results.ts";

/** `A=B` words as a record of network names. Throws USAGE. */
const parseNetworks = (words: readonly string[]): Record<string, string> =>
	Object.fromEntries(
		words.map((word) => {
			const [from, to, ...rest] = word.split("=");
			if (from && to && rest.length === 0) return [from, to];
			throw new KnibError("USAGE", `--network ${word} is not A=B`);
		}),
	);

export default class RestoreNew extends JobCommand {
	static override summary = "restore a backup as a new VM beside the old one";
	static override args = {
		backup: Args.string({
			description: "id, or 4 or more of its first or last digits; `latest` with --vm",
			required: true,
		}),
	};
	static override flags = {
		...jobFlags,
		as: Flags.string({ summary: "name of the new VM", helpValue: "NAME", required: true }),
		vm: Flags.string({ summary: "VM that the backup is of", helpValue: "VM" }),
		storage: Flags.string({ summary: "directory for the new disks", helpValue: "DIR" }),
		network: Flags.string({
			summary: "put the interfaces of network A on network B",
			helpValue: "A=B",
			multiple: true,
			multipleNonGreedy: true,
		}),
		"keep-mac": Flags.boolean({ summary: "keep the MAC addresses", default: false }),
		start: Flags.boolean({ summary: "start the new VM", default: false }),
		quick: Flags.boolean({
			summary: "start it at once over the repository's layers, and pull these in while it runs",
			default: false,
		}),
	};

	async run(): Promise<void> {
		const { flags, args } = await this.parse(RestoreNew);
		const networks = parseNetworks(flags.network ?? []);
		await this.connected(flags, async (client) => {
			const vm = flags.vm === undefined ? {} : { vm: flags.vm };
			const backup = await client.api.backup.show.query({ backup: args.backup, ...vm });
			await this.carryOut(
				client,
				flags,
				{
					type: "Restore",
					mode: "new",
					backup: backup.id,
					name: flags.as,
					...(flags.storage === undefined ? {} : { storage: flags.storage }),
					networks,
					keepMac: flags["keep-mac"],
					start: flags.start,
					quick: flags.quick,
				},
				restoreResult,
			);
		});
	}
}
