// The hosts that this one is paired with.
import { showHostId } from "@knib/core/host-id";
import { duration, keyWords } from "@knib/core/text";
import { span } from "../view/frame.ts";
import { stateSpan } from "../view/signs.ts";
import { emptyWords, fact, longFact, type Screen } from "./screen.ts";
import { greyed } from "./stale.ts";

const NONE = "no peers: a makes a code for another host, n joins one by its code";

export const peers: Screen = {
	title: () => "Peers",
	target: () => ({ kind: "peer", id: "" }),
	body: (state, _, width) => {
		const self = state.data.hosts?.find((one) => one.self);
		return {
			head:
				self === undefined
					? []
					: [
							fact("this host", self.name, "bold"),
							...longFact("its id", showHostId(self.id), width),
							...(self.key === null ? [] : [fact("its key", keyWords(self.key))]),
							...self.problems.flatMap((problem) => longFact("problem", problem, width)),
						],
			sortable: true,
			empty: emptyWords(state, "peers", NONE),
			columns: [
				{ head: "PEER", width: 14 },
				{ head: "STATE", width: 16 },
				{ head: "ROLE", width: 9 },
				{ head: "SEEN", width: 10 },
				{ head: "BEHIND", width: 7, right: true },
				{ head: "ADDRESS", width: 22, from: 100 },
				{ head: "ID", width: 0 },
			],
			rows: (state.data.peers ?? []).map((one) => {
				const age = one.lastSeen === null ? null : state.now - Date.parse(one.lastSeen);
				const never = one.state === "through-others" ? "-" : "never";
				const seen = age === null ? never : `${duration(Math.max(0, age))} ago`;
				return {
					id: one.id,
					target: { kind: "peer", id: one.id },
					open: null,
					cells: greyed(
						[
							span(one.name, "bold"),
							stateSpan(one.state),
							span(one.role),
							{
								...span(one.state === "connected" ? "now" : seen),
								key: -(age ?? Number.MAX_VALUE),
							},
							{ ...span(String(one.lagDocuments ?? "-")), key: one.lagDocuments ?? -1 },
							span(one.address ?? "-"),
							span(showHostId(one.id), "dim"),
						],
						one.state === "removed",
					),
				};
			}),
		};
	},
};
