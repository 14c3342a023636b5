// Types of the packages that bring none, as far as they are used here.

declare module "leveldown" {
	type Callback = (error?: Error | null, value?: unknown) => void;
	/** A LevelDB. */
	interface LevelDown {
		_get(key: unknown, options: object, callback: Callback): void;
		_iterator(options: object): { _next(callback: (...entry: unknown[]) => void): unknown };
		_batch(operations: unknown, options: object, callback: Callback): void;
		close(callback: Callback): void;
	}
	function leveldown(location: string): LevelDown;
	export = leveldown;
}

declare module "pouchdb-adapter-leveldb" {
	const plugin: PouchDB.Plugin;
	export = plugin;
}

declare module "vuvuzela" {
	/** A parser of JSON that PouchDB uses. */
	const vuvuzela: { parse: (text: string) => unknown };
	export = vuvuzela;
}
