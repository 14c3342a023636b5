// Offerings, repositories, settings and hosts.
import { short, size } from "@knib/core/text";
import { span } from "../view/frame.ts";
import { bar, minute, nearlyFull, stateSpan } from "../view/signs.ts";
import { emptyWords, noTarget, type Screen } from "./screen.ts";
import { greyed, silence } from "./stale.ts";

export const offerings: Screen = {
	title: () => "Offerings",
	target: () => ({ kind: "offering", id: "" }),
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "offerings", "no offerings: a makes one"),
		columns: [
			{ head: "OFFERING", width: 18 },
			{ head: "VMS", width: 5, right: true },
			{ head: "CHAIN", width: 7, right: true },
			{ head: "COMPRESS", width: 14 },
			{ head: "VALIDATE", width: 0 },
			{ head: "QUICK RESTORE", width: 14, from: 100 },
		],
		rows: (state.data.offerings ?? []).map((one) => ({
			id: one.id,
			target: { kind: "offering", id: one.id },
			open: null,
			cells: [
				span(`${one.name}${one.default ? " *" : ""}`, "bold"),
				{ ...span(String(one.vms)), key: one.vms },
				span(one.backupChainSize === undefined ? "setting" : String(one.backupChainSize)),
				span(one.compress ? `${one.compressWhen} ${one.compressionLibrary}` : "no"),
				span(one.validate ? one.validationSteps.join(", ") : "no"),
				span(one.allowQuickRestore ? "yes" : "no"),
			],
		})),
	}),
};

export const repositories: Screen = {
	title: () => "Repositories",
	target: () => ({ kind: "repository", id: "" }),
	body: (state, _, width) => ({
		head: [],
		sortable: true,
		empty: emptyWords(
			state,
			"repositories",
			"no repositories: a adds one, without which there are no backups",
		),
		columns: [
			{ head: "REPOSITORY", width: 16 },
			{ head: "STATE", width: 13 },
			{ head: "USED", width: width >= 100 ? 34 : 22 },
			{ head: "BACKUPS", width: 7, right: true },
			{ head: "PATH", width: 0 },
		],
		rows: (state.data.repositories ?? []).map((one) => {
			const used = one.capacity === 0 ? 0 : 1 - one.free / one.capacity;
			const room =
				one.capacity === 0 ? "-" : `${bar(used, width >= 100 ? 16 : 6)} ${size(one.free)} free`;
			return {
				id: one.id,
				target: { kind: "repository", id: one.id },
				open: null,
				cells: [
					span(`${one.name}${one.default ? " *" : ""}`, "bold"),
					stateSpan(one.state),
					{ ...span(room, nearlyFull(one) ? "bad" : "plain"), key: used },
					{ ...span(String(one.backups)), key: one.backups },
					span(one.message === null ? one.path : `${one.path}: ${one.message}`, "dim"),
				],
			};
		}),
	}),
};

export const settings: Screen = {
	title: () => "Settings",
	target: noTarget,
	body: (state, _, width) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "settings", "no settings"),
		columns: [
			{ head: "SETTING", width: width >= 100 ? 54 : 52 },
			{ head: "VALUE", width: width >= 100 ? 24 : 14 },
			{ head: "FROM", width: 0 },
		],
		rows: (state.data.settings ?? []).map((one) => ({
			id: one.name,
			target: { kind: "setting", id: one.name },
			open: null,
			cells: [
				span(one.name),
				span(`${String(one.value)} ${one.unit ?? ""}`, "bold"),
				span(one.source, one.source === "default" ? "dim" : "accent"),
			],
		})),
	}),
};

export const hosts: Screen = {
	title: () => "Hosts",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		empty: emptyWords(state, "hosts", "no hosts"),
		columns: [
			{ head: "HOST", width: 16 },
			{ head: "STATE", width: 12 },
			{ head: "VMS", width: 4, right: true },
			{ head: "VERSION", width: 8 },
			{ head: "LIBVIRT / QEMU", width: 17 },
			{ head: "STARTED", width: 16, from: 100 },
			{ head: "PROBLEMS", width: 0 },
		],
		rows: (state.data.hosts ?? []).map((one) => ({
			id: one.id,
			target: { kind: "host", id: one.id },
			open: null,
			cells: greyed(
				[
					span(one.name === "" ? short(one.id) : one.name, "bold"),
					stateSpan(one.state),
					span(one.vms === null ? "-" : String(one.vms)),
					span(one.version ?? "-"),
					span(`${one.libvirt ?? "-"} / ${one.qemu ?? "-"}`),
					span(minute(one.startedAt)),
					span(
						[silence(state, one) ?? "", ...one.problems].filter((text) => text !== "").join("; "),
						"warn",
					),
				],
				one.state === "unreachable",
			),
		})),
	}),
};
