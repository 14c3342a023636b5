import { changeAct, quoted } from "../app/acts.ts";
import { choice, type FormKind, input, read } from "./form.ts";

const ROLES = ["viewer", "operator", "admin"] as const;
const HELP = "viewer: looks; operator: backs up and restores; admin: rules too";

const roleOf = (text: string) => ROLES.find((one) => one === text) ?? "operator";

/** A code for another host. */
export const peerInviteForm: FormKind = {
	open: () => ({
		title: "invite another host",
		notes: ["whoever has the code may join once, until it expires"],
		fields: [choice("role", "it becomes", "operator", ROLES, HELP)],
	}),
	act: (_, form) => {
		const role = roleOf(read(form, "role"));
		const cli = `knib peer invite --role ${role}`;
		return changeAct(`invite a host as ${role}`, cli, { call: "invite", role });
	},
};

/** Joins the host that a code is of. */
export const peerJoinForm: FormKind = {
	open: () => ({
		title: "join another host",
		notes: ["`knib peer invite` on the other host prints the code"],
		fields: [input("code", "code", "", "paste it")],
	}),
	act: (_, form) => {
		const code = read(form, "code");
		if (code === "") return "paste the code that the other host shows";
		return changeAct("join the host of this code", `knib peer join ${quoted(code)}`, {
			...{ call: "join", code },
		});
	},
};

/** What a peer may ask of this mesh. */
export const peerRoleForm: FormKind = {
	open: (state, { id }) => {
		const peer = state.data.peers?.find((one) => one.id === id);
		if (peer === undefined) return null;
		return {
			title: `role of ${peer.name}`,
			notes: [`now ${peer.role}`],
			fields: [choice("role", "role", peer.role, ROLES, HELP)],
		};
	},
	act: (state, form) => {
		const { id } = form.target;
		const peer = state.data.peers?.find((one) => one.id === id);
		if (peer === undefined) return "it is not there any more";
		const role = roleOf(read(form, "role"));
		return changeAct(
			`let ${peer.name} be ${role}`,
			`knib peer role ${quoted(peer.name)} ${role}`,
			{ call: "role", peer: id, role },
			{ undo: `knib peer role ${quoted(peer.name)} ${peer.role}` },
		);
	},
};
