{{/* Values that go together, which a JSON schema cannot say in words. */}}

{{- define "omni-gateway.checks" -}}
{{- $own := or (not (hasKey .Values.settings "AUTH")) (ne (join "," .Values.settings.AUTH) "omni-key") -}}
{{- if and $own (not .Values.omni.keySecret.name) -}}
{{- fail "omni.keySecret.name: name the Secret with the key of Omni's service account (only settings.AUTH [omni-key] does without)" -}}
{{- end -}}
{{- if and (eq .Values.store.kind "sqlite") (gt (int .Values.replicas) 1) -}}
{{- fail "replicas: SQLite serves one replica; set store.kind to postgresql for more" -}}
{{- end -}}
{{- if and (eq .Values.store.kind "postgresql") (not .Values.store.postgresql.urlSecret.name) -}}
{{- fail "store.postgresql.urlSecret.name: name the Secret with the URL of PostgreSQL" -}}
{{- end -}}
{{- if .Values.serviceMonitor.enabled -}}
{{- if not .Values.serviceMonitor.tokenSecret.name -}}
{{- fail "serviceMonitor.tokenSecret.name: name the Secret with a token of the role reader, which /metrics takes" -}}
{{- end -}}
{{- if .Values.settings.ALLOWED_HOSTS -}}
{{- fail "serviceMonitor.enabled: Prometheus calls pods by their addresses, which settings.ALLOWED_HOSTS refuses; leave one of them out" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- end -}}
