// Package gateway is a typed client of omni-gateway, the REST API in front of Sidero Omni.
package gateway

//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml ../openapi.json
