// What happens by itself: schedules, selectors, and what retention makes of each backup.
import { short, size } from "@knib/core/text";
import { span } from "../view/frame.ts";
import { minute } from "../view/signs.ts";
import { emptyWords, noTarget, type Screen } from "./screen.ts";

export const schedules: Screen = {
	title: () => "Schedules",
	target: () => ({ kind: "schedule", id: "" }),
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "schedules", "no schedules: a makes one"),
		columns: [
			{ head: "SCHEDULE", width: 18 },
			{ head: "CRON", width: 16 },
			{ head: "TIME ZONE", width: 16, from: 100 },
			{ head: "KIND", width: 9 },
			{ head: "NEXT RUN (UTC)", width: 17 },
			{ head: "VMS", width: 0 },
		],
		rows: (state.data.schedules ?? []).map((one) => ({
			id: one.id,
			target: { kind: "schedule", id: one.id },
			open: null,
			cells: [
				span(one.name, "bold"),
				span(one.cron),
				span(one.timezone),
				span(one.isolated ? "isolated" : "chain"),
				span(one.nextRun === null ? "never" : minute(one.nextRun), "accent"),
				span(one.tag === undefined ? one.vm : `${one.vm} with tag ${one.tag}`),
			],
		})),
	}),
};

export const selectors: Screen = {
	title: () => "Selectors",
	target: () => ({ kind: "selector", id: "" }),
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "selectors", "no selectors: a makes one"),
		columns: [
			{ head: "SELECTOR", width: 18 },
			{ head: "PRIORITY", width: 8, right: true },
			{ head: "REPOSITORY", width: 20 },
			{ head: "MATCHES", width: 0 },
		],
		rows: (state.data.selectors ?? []).map(({ id, name, priority, repository, match }) => ({
			id,
			target: { kind: "selector", id },
			open: null,
			cells: [
				span(name, "bold"),
				{ ...span(String(priority)), key: -priority },
				repository.here
					? span(repository.name ?? short(repository.id))
					: span(`${repository.name ?? short(repository.id)}, not here`, "warn"),
				span(match.join(" and ")),
			],
		})),
	}),
};

export const retention: Screen = {
	title: () => "Retention",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "retention", "there is no backup to judge"),
		columns: [
			{ head: "VERDICT", width: 9 },
			{ head: "VM", width: 16, grows: true },
			{ head: "BACKUP", width: 8 },
			{ head: "POINT IN TIME", width: 16 },
			{ head: "SIZE", width: 10, right: true, from: 100 },
			{ head: "RULES OF", width: 14 },
			{ head: "WHY", width: 0 },
		],
		rows: (state.data.retention ?? []).flatMap(({ vm, backups }) =>
			backups.map((one) => ({
				id: one.id,
				target: { kind: "backup" as const, id: one.id },
				open: { screen: "backup" as const, id: one.id },
				cells: [
					one.keep ? span("✓ keep", "good") : span("! remove", "warn"),
					span(vm.name),
					span(short(one.id), "bold"),
					{ ...span(minute(one.pointInTime)), key: one.pointInTime },
					{ ...span(size(one.size)), key: one.size },
					span(one.schedule ?? one.offering ?? "-"),
					span(one.reasons.join(", "), "dim"),
				],
			})),
		),
	}),
};
