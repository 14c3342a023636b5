import { type InviteView, roleSchema, showHostId } from "@knib/core";
import { Flags } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { instant, safe } from "../../print/text.ts";

const text = (view: InviteView): string =>
	[
		view.code,
		"",
		`this host is ${safe(view.host.name)}, ${showHostId(view.host.id)}`,
		`on the other host, once, before ${instant(view.expiresAt)}: knib peer join CODE`,
		`it becomes ${view.role} here`,
	].join("\n");

export default class PeerInvite extends KnibCommand {
	static override summary = "print a code by which one host is paired with this one, once";
	static override flags = {
		role: Flags.string({
			summary: "what the other host may ask of this mesh",
			options: roleSchema.options,
			default: "operator",
		}),
	};

	async run(): Promise<void> {
		const { flags } = await this.parse(PeerInvite);
		const role = roleSchema.parse(flags.role);
		const view = await this.connected(flags, ({ api }) => api.peer.invite.mutate({ role }));
		this.show(flags, view, text);
	}
}
