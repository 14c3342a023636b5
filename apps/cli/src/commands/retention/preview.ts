import { Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { retentionText } from "../../print/retention.ts";

export default class RetentionPreview extends KnibCommand {
	static override summary =
		"say of each restore point whether its offering or schedule keeps it, and why; changes nothing";
	static override flags = { vm: Flags.string({ summary: "only of this VM", helpValue: "VM" }) };

	async run(): Promise<void> {
		const { flags } = await this.parse(RetentionPreview);
		const filter = flags.vm === undefined ? {} : { vm: flags.vm };
		const vms = await this.connected(flags, ({ api }) => api.retention.preview.query(filter));
		this.show(flags, vms, retentionText);
	}
}
