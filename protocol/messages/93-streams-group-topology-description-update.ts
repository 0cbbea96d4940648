// StreamsGroupTopologyDescriptionUpdate hands in the description of a streams group's topology (KIP-1331).
import { api } from '../api.ts'
import { array, int16, int32, int8, nullable, string, struct } from '../schema.ts'

const topologyDescriptionNode = {
  name: string,
  nodeType: int8,
  sourceTopics: array(string),
  sinkTopic: nullable.string.or(null),
  stores: array(string),
  successors: array(string),
}

export const StreamsGroupTopologyDescriptionUpdate = api(93, 'StreamsGroupTopologyDescriptionUpdate', {
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    topologyEpoch: int32,
    topologyDescription: struct({
      subtopologies: array({
        subtopologyId: string,
        nodes: array(topologyDescriptionNode),
      }),
      globalStores: array({
        source: struct(topologyDescriptionNode),
        processor: struct(topologyDescriptionNode),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: nullable.string.or(null),
  },
})
