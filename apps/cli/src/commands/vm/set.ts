import { KnibError } from "@knib/core";
import { Args } from "@oclif/core";
import { dryRunFlag, hostFlag, KnibCommand } from "../../base-command.ts";
import { safe } from "../../print/text.ts";

/** `KEY=VALUE` words as a record. Throws USAGE on a word without `=` and on a key that is given twice. */
const parsePairs = (words: readonly string[]): Record<string, string> => {
	const values: Record<string, string> = {};
	for (const word of words) {
		const at = word.indexOf("=");
		if (at < 1) throw new KnibError("USAGE", `${word} is not KEY=VALUE`);
		const key = word.slice(0, at);
		if (Object.hasOwn(values, key)) throw new KnibError("USAGE", `${key} is given twice`);
		values[key] = word.slice(at + 1);
	}
	return values;
};

export default class VmSet extends KnibCommand {
	static override summary = "set values of one VM; an empty value takes the key away";
	static override strict = false;
	static override args = {
		vm: Args.string({ description: "name or uuid", required: true }),
		pairs: Args.string({ description: "KEY=VALUE…, such as excludeDisks=vdb,vdc", required: true }),
	};
	static override flags = { "dry-run": dryRunFlag, host: hostFlag };
	static override examples = [
		"<%= config.bin %> vm set web01 excludeDisks=vdb",
		"<%= config.bin %> vm set web01 backupValidationCommand=/usr/bin/test backupValidationCommandTimeout=90s",
	];

	async run(): Promise<void> {
		const { flags, args, argv } = await this.parse(VmSet);
		const values = parsePairs(argv.slice(1).map(String));
		const outcome = await this.connected(flags, ({ api }) =>
			api.vm.set.mutate({ vm: args.vm, values, dryRun: flags["dry-run"] }),
		);
		this.showOutcome(flags, outcome, (vm) =>
			safe(
				Object.entries(vm.policy)
					.map(([key, value]) => `${key}=${String(value)}`)
					.join(" ") || `nothing is set for ${vm.name}`,
			),
		);
	}
}
