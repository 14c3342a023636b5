import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { offeringText } from "../../print/offering.ts";

export default class OfferingShow extends KnibCommand {
	static override summary = "show one offering; a removed one by its whole id";
	static override args = { offering: Args.string({ description: "name or id", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(OfferingShow);
		const offering = await this.connected(flags, ({ api }) => api.offering.show.query(args));
		this.show(flags, offering, offeringText);
	}
}
