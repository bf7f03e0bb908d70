/** `type:name`, by which tables are named; a name alone is of the default type. DATABASE_README */
export interface TableName {
  readonly type: string;
  readonly name: string;
}

export function splitTableName(spec: string, defaultType: string): TableName {
  const colon = spec.indexOf(':');
  return colon < 0 ? { type: defaultType, name: spec } : { type: spec.slice(0, colon), name: spec.slice(colon + 1) };
}
