import { KnibCommand } from "../../base-command.ts";
import { selectorsText } from "../../print/selector.ts";

export default class SelectorList extends KnibCommand {
	static override summary = "list selectors in the order in which they are asked";

	async run(): Promise<void> {
		const { flags } = await this.parse(SelectorList);
		const selectors = await this.connected(flags, ({ api }) => api.selector.list.query());
		this.show(flags, selectors, selectorsText);
	}
}
