{{/* What the pods of the gateway and of the migration have in common. */}}

{{- define "omni-gateway.pod-security" -}}
runAsNonRoot: true
runAsUser: {{ .Values.runAsUser }}
runAsGroup: {{ .Values.runAsUser }}
fsGroup: {{ .Values.runAsUser }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "omni-gateway.container-security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A whole number that YAML has read as a floating-point one must not become 1e+08. */}}
{{- define "omni-gateway.text" -}}
{{- if kindIs "slice" . -}}
{{ join "," . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{ int64 . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end -}}

{{/* The secrets that are given: the variable whose value is the file's path, and the Secret's key. */}}
{{- define "omni-gateway.secrets" -}}
{{- $given := dict "OMNI_SERVICE_ACCOUNT_KEY" .Values.omni.keySecret "OMNI_GATEWAY_REDIS_URL" .Values.redis.urlSecret "OMNI_GATEWAY_BOOTSTRAP_TOKEN" .Values.bootstrapTokenSecret -}}
{{- if eq .Values.store.kind "postgresql" -}}
{{- $given = set $given "OMNI_GATEWAY_STORE_URL" .Values.store.postgresql.urlSecret -}}
{{- end -}}
{{- range $variable, $secret := $given }}
{{- if $secret.name }}
{{ $variable }}: {name: {{ $secret.name }}, key: {{ $secret.key }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omni-gateway.env" -}}
- name: OMNI_ENDPOINT
  value: {{ .Values.omni.endpoint | quote }}
- name: OMNI_TRANSPORT
  value: {{ .Values.omni.transport }}
{{- range $variable, $_ := include "omni-gateway.secrets" . | fromYaml }}
- name: {{ $variable }}_FILE
  value: /etc/omni-gateway/secrets/{{ $variable }}
{{- end }}
{{- if .Values.omni.caConfigMap.name }}
- name: OMNI_CA_FILE
  value: /etc/omni-gateway/omni-ca/ca.pem
{{- end }}
- name: OMNI_GATEWAY_BIND
  value: {{ printf "%s:8080" .Values.listenHost | quote }}
- name: OMNI_GATEWAY_STATE_DIR
  value: /var/lib/omni-gateway
{{- if .Values.tlsSecretName }}
- name: OMNI_GATEWAY_TLS_CERT_FILE
  value: /etc/omni-gateway/tls/tls.crt
- name: OMNI_GATEWAY_TLS_KEY_FILE
  value: /etc/omni-gateway/tls/tls.key
{{- end }}
{{- range $name, $value := .Values.settings }}
- name: OMNI_GATEWAY_{{ $name }}
  value: {{ include "omni-gateway.text" $value | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "omni-gateway.volume-mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if eq .Values.store.kind "sqlite" }}
- name: state
  mountPath: /var/lib/omni-gateway
{{- end }}
{{- if include "omni-gateway.secrets" . }}
- name: secrets
  mountPath: /etc/omni-gateway/secrets
  readOnly: true
{{- end }}
{{- if .Values.omni.caConfigMap.name }}
- name: omni-ca
  mountPath: /etc/omni-gateway/omni-ca
  readOnly: true
{{- end }}
{{- if .Values.tlsSecretName }}
- name: tls
  mountPath: /etc/omni-gateway/tls
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "omni-gateway.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if eq .Values.store.kind "sqlite" }}
- name: state
  persistentVolumeClaim:
    claimName: {{ .Values.store.sqlite.existingClaim | default (printf "%s-state" (include "omni-gateway.name" .)) }}
{{- end }}
{{- with include "omni-gateway.secrets" . | fromYaml }}
- name: secrets
  projected:
    sources:
      {{- range $variable, $secret := . }}
      - secret:
          name: {{ $secret.name }}
          items:
            - key: {{ $secret.key }}
              path: {{ $variable }}
      {{- end }}
{{- end }}
{{- if .Values.omni.caConfigMap.name }}
- name: omni-ca
  configMap:
    name: {{ .Values.omni.caConfigMap.name }}
    items:
      - key: {{ .Values.omni.caConfigMap.key }}
        path: ca.pem
{{- end }}
{{- if .Values.tlsSecretName }}
- name: tls
  secret:
    secretName: {{ .Values.tlsSecretName }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "omni-gateway.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The kubelet calls the pod by its address, which settings.ALLOWED_HOSTS would refuse. */}}
{{- define "omni-gateway.probe" -}}
port: http
scheme: {{ ternary "HTTPS" "HTTP" (ne .Values.tlsSecretName "") }}
{{- with .Values.settings.ALLOWED_HOSTS }}
httpHeaders:
  - name: Host
    value: {{ first . | trimPrefix "." | quote }}
{{- end }}
{{- end -}}
