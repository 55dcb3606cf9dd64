// A program that imports Sluice speaks of events and header fields without importing where they come from.
@_exported public import HTTPTypes
@_exported public import SluiceSSE
